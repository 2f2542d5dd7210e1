import { processesWith } from "../../commands/processes";
import { byClient, type Inside } from "../support/inside";
import { kubectlCommand } from "./kubectl";

/** Members that are pods of a namespace. Their processes are this machine's where it is their node, as `make kube-up` has it. */
export const pods = (namespace: string): Inside => ({
  ...byClient((pod) => [...kubectlCommand(), "exec", "--stdin", "--namespace", namespace, pod, "--"]),
  process(pod) {
    const [pid] = processesWith("HOSTNAME", pod);
    return pid === undefined
      ? Promise.reject(new Error(`no process of ${pod} is on this machine`))
      : Promise.resolve(pid);
  },
});
