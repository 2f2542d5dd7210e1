// One run of preview, up, refresh or destroy.

import type { Options } from "./args";
import { Deletes } from "./deletes";
import { Deployment } from "./deployment";
import { coverSecrets, Display } from "./display";
import { messageOf } from "./fault";
import { Hooks } from "./hooks";
import { runProgram } from "./language";
import { Cancelled, Limiter } from "./limiter";
import { Mask } from "./masking";
import { serve } from "./monitor";
import type { Config, Project } from "./project";
import { DynamicServer, dynamicProvider } from "./providers/dynamic";
import type { Provider } from "./providers/provider";
import { type FurtherProviders, packageOf } from "./providers/registry";
import { isProtected, withFoundations } from "./plan";
import { reconcile } from "./reconcile";
import { refresh } from "./refresh";
import type { Session } from "./session";
import type { Snapshot } from "./state";
import { StepFailed, Steps } from "./steps";
import { makeUrn, STACK_TYPE } from "./urn";

export interface RunSettings {
  readonly options: Options;
  readonly project: Project;
  readonly config: Config;
  readonly snapshot: Snapshot;
}

export async function run({ options, project, config, snapshot }: RunSettings): Promise<number> {
  const dryRun = options.verb === "preview";
  const mask = new Mask();
  for (const resource of snapshot.resources()) {
    mask.learn(resource.inputs);
    mask.learn(resource.outputs);
  }
  for (const key of config.secretKeys) mask.learnText(config.values[key] ?? "");
  const display = new Display(mask, dryRun, options.json);
  const stackUrn = makeUrn(options.stack, project.name, "", STACK_TYPE, `${project.name}-${options.stack}`);

  const server = new DynamicServer({
    project: project.name,
    folder: project.folder,
    config: config.values,
    print: (line) => display.diagnostic("info", stackUrn, line),
  });
  let dynamic: Provider | undefined;
  const session: Session = {
    project: project.name,
    stack: options.stack,
    dryRun,
    snapshot,
    display,
    mask,
    hooks: new Hooks(dryRun, (urn, message) => display.diagnostic("warning", urn, message)),
    limiter: new Limiter(options.parallel),
    deleted: new Set(),
    providers: {
      dynamic: () => (dynamic ??= dynamicProvider(server)),
      docker: (type, host) =>
        (require("./providers/docker") as typeof import("./providers/docker")).dockerProvider(type, host),
      random: (type) =>
        (require("./providers/random") as typeof import("./providers/random")).randomProvider(type),
      further: (type) => {
        const module = process.env.LOCAL_ENGINE_PROVIDERS;
        return module ? (require(module) as FurtherProviders).providers[packageOf(type)]?.(type) : undefined;
      },
    },
  };
  // A state with dynamic resources will need the server: it starts while the program is being loaded.
  if (snapshot.resources().some((each) => packageOf(each.type) === "pulumi-nodejs"))
    void server.start().catch(() => undefined);

  const restore = onInterrupt(() => {
    display.diagnostic(
      "warning",
      stackUrn,
      "stopping: running steps end, nothing new begins; the next run goes on from here",
    );
    session.limiter.close();
  });
  try {
    const words = {
      preview: "Previewing update",
      up: "Updating",
      refresh: "Refreshing",
      destroy: "Destroying",
    } as const;
    display.headline(`${words[options.verb as keyof typeof words]} (${options.stack}):`);
    await perform(options, session, project, config, stackUrn);
  } catch (error) {
    // A failed step has told its own error.
    if (!(error instanceof StepFailed)) display.diagnostic("error", stackUrn, messageOf(error));
  } finally {
    restore();
    server.stop();
    await snapshot.flush();
  }
  const outputs = snapshot.resources().find((each) => each.urn === stackUrn)?.outputs;
  display.summary(options.verb === "destroy" ? undefined : outputs, options.showSecrets);
  const { counts } = display;
  const changed = counts.create + counts.update + counts.replace + counts.delete + counts.import > 0;
  if (options.expectNoChanges && changed) display.complain("no changes were expected, but there are some");
  const ok = !display.failed() && !(options.expectNoChanges && changed);
  if (options.json) {
    const report = {
      ...counts,
      ok,
      outputs: coverSecrets(outputs ?? {}, options.showSecrets),
      diagnostics: display.diagnostics,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  }
  return ok ? 0 : 1;
}

async function perform(
  options: Options,
  session: Session,
  project: Project,
  config: Config,
  stackUrn: string,
): Promise<void> {
  const { snapshot, display } = session;
  if (!session.dryRun) await reconcile(session);
  if (display.failed()) return;
  if (options.verb === "refresh") return refresh(session);
  if (options.verb === "destroy") {
    const kept = options.excludeProtected ? withFoundations(snapshot.resources(), isProtected) : new Set();
    const doomed = snapshot.resources().filter((each) => !kept.has(each));
    return new Deletes(session, new Steps(session)).run(doomed);
  }
  await update(options, session, project, config, stackUrn);
}

/** A refresh before an update, whose summary does not count it. After its failure nothing is registered. */
async function refreshFirst(session: Session): Promise<void> {
  const { display } = session;
  const before = { ...display.counts };
  await refresh(session);
  if (display.failed()) throw new Cancelled();
  Object.assign(display.counts, before);
}

async function update(
  options: Options,
  session: Session,
  project: Project,
  config: Config,
  stackUrn: string,
): Promise<void> {
  const { display, limiter } = session;
  // The program is loaded meanwhile, which takes as long.
  const begin = options.refresh ? refreshFirst(session) : Promise.resolve();
  const refreshed = begin.catch(() => undefined);
  const deployment = new Deployment(session, config.values, begin);
  const end: { reached: boolean; failure?: unknown } = { reached: false };
  const monitor = await serve(session, deployment, async () => {
    // After a failure what is not registered may be missing only because of it.
    if (display.failed() || limiter.isClosed) return;
    try {
      await deployment.finish();
      end.reached = true;
    } catch (error) {
      end.failure = error;
    }
  });
  try {
    const program = runProgram({
      project,
      stack: options.stack,
      config,
      monitor: monitor.address,
      dryRun: session.dryRun,
      parallel: options.parallel,
      print: (line) => display.diagnostic("info", stackUrn, line),
    });
    const { ok, code } = await program.exit;
    if (end.failure !== undefined) throw end.failure as Error;
    if (limiter.isClosed) throw new Cancelled();
    if (ok && !end.reached && !display.failed()) throw new Error("the program ended before it had said all");
    if (!ok && !display.failed())
      throw new Error(`the program ended with code ${code ?? "none: it was killed"}`);
  } finally {
    // A program that could not even be loaded must not end the run while the refresh still writes.
    await refreshed;
    deployment.settleStackOutputs(!end.reached);
    monitor.stop();
  }
}

function onInterrupt(stop: () => void): () => void {
  let asked = false;
  const handler = (): void => {
    // Whoever asks twice does not want to wait; what was under way is noted in the state.
    if (asked) process.exit(130);
    asked = true;
    stop();
  };
  process.on("SIGINT", handler);
  process.on("SIGTERM", handler);
  // A reader that is gone (a closed terminal, `| head`) waits for nothing more either. Unheard, the error of a write would end the run at
  // once; it stays heard, since the summary is yet to be written.
  const unread = (): void => {
    if (asked) return;
    asked = true;
    stop();
  };
  for (const stream of [process.stdout, process.stderr]) stream.on("error", unread);
  return () => {
    process.off("SIGINT", handler);
    process.off("SIGTERM", handler);
  };
}
