import { version } from "@pulumi/docker/package.json";
import type Docker from "dockerode";
import { changedKeys, type Properties } from "../local-engine/properties";
import { dockerProvider } from "../local-engine/providers/docker";
import { meant } from "../local-engine/providers/docker/defaults";
import { dockerAt, isStatus } from "../local-engine/providers/docker/engine";
import { networkOutputs } from "../local-engine/providers/docker/network";
import { labelMap, text } from "../local-engine/providers/docker/values";
import type { Provider, Running } from "../local-engine/providers/provider";
import { serve, type ServedProvider } from "./resource-provider";

type Created = ReturnType<Provider["create"]>;

/** What becomes of a container or network that a killed run has made and not recorded: its name is taken, and its labels are ours. */
interface Recovery {
  /** Does this error say that the name is taken? */
  readonly taken: (error: unknown, name: string) => boolean;
  /** Undefined: whoever has the name is not ours. */
  readonly recover: (
    docker: Docker,
    running: Running,
    inputs: Properties,
    create: () => Created,
  ) => Promise<Awaited<Created> | undefined>;
}

const sameLabels = (inputs: Properties, found: Readonly<Record<string, string>>): boolean => {
  const wanted = Object.entries(labelMap(inputs.labels));
  return wanted.length > 0 && wanted.every(([key, value]) => found[key] === value);
};

const RECOVERIES: Readonly<Record<string, Recovery>> = {
  "docker:index/container:Container": {
    taken: (error, name) => String(error).includes(`The container name "/${name}" is already in use`),
    async recover(docker, running, inputs, create) {
      const found = docker.getContainer(text(inputs.name));
      if (!sameLabels(inputs, (await found.inspect()).Config.Labels)) return undefined;
      running.status("removing what an interrupted run made");
      await found.remove({ force: true });
      return create();
    },
  },
  "docker:index/network:Network": {
    taken: (error, name) =>
      isStatus(error, 409) || String(error).includes(`network with name ${name} already`),
    async recover(docker, running, inputs, create) {
      const name = text(inputs.name);
      const [found] = (await docker.listNetworks({ filters: { name: [name] } })).filter(
        (each) => each.Name === name,
      );
      if (found === undefined || !sameLabels(inputs, found.Labels ?? {})) return undefined;
      const network = docker.getNetwork(found.Id);
      const outputs = networkOutputs(await network.inspect());
      // One that is as it is wanted is kept, since containers may be in it.
      if (changedKeys(networkInputs(outputs), meant(inputs)).length === 0) return { id: found.Id, outputs };
      running.status("removing what an interrupted run made");
      await network.remove();
      return create();
    },
  },
};

/** What a program would have to say to get this network. Docker chooses its addresses where nobody else does, so these are left out. */
function networkInputs(outputs: Properties): Properties {
  const { name, driver, ipamDriver, labels, options } = outputs;
  const flags = ["attachable", "ingress", "internal", "ipv6"].filter((flag) => outputs[flag] === true);
  return {
    ...{ name: name ?? null, driver: driver ?? null, ipamDriver: ipamDriver ?? null },
    ...(Array.isArray(labels) && labels.length > 0 && { labels }),
    ...(Object.keys((options ?? {}) as object).length > 0 && { options: options as Properties }),
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  };
}

function volumeInputs(outputs: Properties): Properties {
  const { name, driver, driverOpts, labels } = outputs;
  return {
    ...{ name: name ?? null, driver: driver ?? null },
    ...(driverOpts !== null && driverOpts !== undefined && { driverOpts }),
    ...(Array.isArray(labels) && labels.length > 0 && { labels }),
  };
}

const INPUTS_OF: Readonly<Record<string, (outputs: Properties) => Properties>> = {
  "docker:index/network:Network": networkInputs,
  "docker:index/volume:Volume": volumeInputs,
};

serve(version, (type, { host }): ServedProvider => {
  const address = typeof host === "string" && host !== "" ? host : undefined;
  const provider = dockerProvider(type, address);
  const recovery = RECOVERIES[type];
  const inputsOf = INPUTS_OF[type];
  return {
    ...provider,
    ...(inputsOf && { inputsOf }),
    async create(running, inputs) {
      try {
        return await provider.create(running, inputs);
      } catch (error) {
        if (recovery === undefined || !recovery.taken(error, text(inputs.name))) throw error;
        const create = (): Created => provider.create(running, inputs);
        const recovered = await recovery.recover(dockerAt(address), running, meant(inputs), create);
        if (recovered === undefined) throw error;
        return recovered;
      }
    },
  };
});
