/** What guests want of Patroni, and how it becomes one configuration. */

/**
 * When a hook runs: https://patroni.readthedocs.io/en/latest/yaml_configuration.html#postgresql
 * `post_init` once, when the database has been made; `before_stop` before PostgreSQL is stopped on purpose; `pre_promote` before a replica is
 * promoted; the others after the fact, with the role that the member has then.
 */
export type HookEvent =
  | "post_init"
  | "before_stop"
  | "pre_promote"
  | "on_start"
  | "on_role_change"
  | "on_reload"
  | "on_restart"
  | "on_stop";

export interface Hook {
  readonly event: HookEvent;
  /** A command without a shell. What Patroni says of the event follows: of callbacks what happened, the role and the scope. */
  readonly command: readonly string[];
  /** From 1; then it is ended, and the next one runs. All hooks of one event together have at most `HOOK_SECONDS`. */
  readonly timeoutSeconds: number;
  /**
   * Why the event must not go on when the hook fails: of `pre_promote` the member is not promoted and gives the lock back, of `post_init` the
   * database is taken for not made. Default: a failure is a line in the log. Of other events there is nothing to keep from.
   */
  readonly veto?: string;
}

/** How the first member gets its data, in place of initdb: https://patroni.readthedocs.io/en/latest/replica_bootstrap.html#bootstrap */
export interface BootstrapMethod {
  /** Letters, digits and underscores. */
  readonly name: string;
  /** As a shell would split it; Patroni adds `--scope` and `--datadir`. */
  readonly command: string;
  /** PostgreSQL's recovery settings for the first start. Default: the command has written them, and they stay. */
  readonly recovery?: Readonly<Record<string, string>>;
}

/** How a new replica gets its data; those of guests are tried before `basebackup`. */
export interface ReplicaMethod {
  readonly name: string;
  readonly command: string;
  /** It goes on with what is in the data directory. Default false: that is emptied before. */
  readonly keepData?: boolean;
  /** It needs no running member to copy from. Default false. */
  readonly withoutLeader?: boolean;
}

export type Slot =
  | { readonly type: "physical" }
  | { readonly type: "logical"; readonly database: string; readonly plugin: string };

export interface PatroniWishes {
  readonly guest: string;
  /** In the order in which they run, after those of the guests before. */
  readonly hooks?: readonly Hook[];
  readonly bootstrap?: BootstrapMethod;
  readonly replicaMethods?: readonly ReplicaMethod[];
  /** Settings with which replicas recover, such as `restore_command`. */
  readonly recovery?: Readonly<Record<string, string>>;
  /** Permanent replication slots by name, which Patroni keeps over failovers. */
  readonly slots?: Readonly<Record<string, Slot>>;
}

/**
 * How long all hooks of an event may take, in seconds. While a leader stops or is promoted nobody serves: clients are held for at most 15 s.
 * Callbacks run beside everything else.
 */
export const HOOK_SECONDS: Readonly<Record<HookEvent, number>> = {
  ...{ before_stop: 15, pre_promote: 15, post_init: 600 },
  ...{ on_start: 600, on_role_change: 600, on_reload: 600, on_restart: 600, on_stop: 15 },
};

/** What the database itself does: the first of its guests, in whose place nobody else can come. */
const OWN: PatroniWishes = {
  guest: "database",
  hooks: [
    // Patroni must not know the superuser's password: in a Citus cluster it would write it into a table.
    ...(["post_init"] as const).map((event) => ({
      ...{ event, command: ["patroni-superuser-password"], timeoutSeconds: 60 },
      veto: "without a password `up` does not get in, and the database could not be finished",
    })),
    // Whoever leads now may not have been the leader when the secrets changed.
    ...(["on_start", "on_role_change"] as const).map((event) => ({
      ...{ event, command: ["patroni-superuser-password"], timeoutSeconds: 60 },
    })),
  ],
};

const withOwn = (guests: readonly PatroniWishes[]): readonly PatroniWishes[] => [OWN, ...guests];

/** `hooks.json`, which the script `patroni-hooks` reads: by event, what runs, in order. */
export function hooksJson(guests: readonly PatroniWishes[]): string {
  const byEvent: Partial<Record<HookEvent, object[]>> = {};
  for (const { guest, hooks = [] } of withOwn(guests))
    for (const { event, ...hook } of hooks) (byEvent[event] ??= []).push({ guest, ...hook });
  return JSON.stringify(byEvent, undefined, 2) + "\n";
}

/** The command of an event, where anything is to run. */
const command = (event: HookEvent): string => `/usr/local/bin/patroni-hooks ${event}`;

/** Those of Patroni's `postgresql` section that run something. A callback is told by Patroni what happened. */
export function hookCommands(guests: readonly PatroniWishes[]) {
  const events = new Set(withOwn(guests).flatMap(({ hooks = [] }) => hooks.map(({ event }) => event)));
  const callbacks = [...events].filter((event) => event.startsWith("on_")).sort();
  return {
    ...(events.has("before_stop") && { before_stop: command("before_stop") }),
    ...(events.has("pre_promote") && { pre_promote: command("pre_promote") }),
    callbacks: Object.fromEntries(callbacks.map((event) => [event, "/usr/local/bin/patroni-hooks"])),
  };
}

export const postInit = command("post_init");

export function replicaMethods(guests: readonly PatroniWishes[]) {
  const methods = guests.flatMap(({ replicaMethods: own = [] }) => own);
  if (methods.length === 0) return {};
  return {
    create_replica_methods: [...methods.map(({ name }) => name), "basebackup"],
    ...Object.fromEntries(
      methods.map(({ name, command: text, keepData, withoutLeader }) => [
        name,
        { command: text, ...(keepData && { keep_data: true }), ...(withoutLeader && { no_leader: true }) },
      ]),
    ),
  };
}

export function bootstrapMethod(guests: readonly PatroniWishes[]) {
  const [method] = guests.flatMap(({ bootstrap }) => (bootstrap === undefined ? [] : [bootstrap]));
  if (method === undefined) return {};
  const { name, command: text, recovery } = method;
  return {
    method: name,
    [name]: {
      command: text,
      ...(recovery === undefined
        ? { keep_existing_recovery_conf: true }
        : { recovery_conf: { ...recovery } }),
    },
  };
}

const united = <T>(
  guests: readonly PatroniWishes[],
  of: (guest: PatroniWishes) => Readonly<Record<string, T>>,
) => Object.fromEntries(guests.flatMap((guest) => Object.entries(of(guest))));

/** Of the dynamic configuration. */
export function guestDynamics(guests: readonly PatroniWishes[]) {
  const slots = united(guests, ({ slots: own = {} }) => own);
  const recovery = united(guests, ({ recovery: own = {} }) => own);
  return {
    ...(Object.keys(slots).length > 0 && { slots }),
    recovery: Object.keys(recovery).length > 0 ? { recovery_conf: recovery } : {},
  };
}

/** A contradiction between guests, or a hook that cannot be: what about, and why. */
export interface PatroniProblem {
  readonly about: string;
  readonly value: unknown;
  readonly rule: string;
  readonly remedy: string;
}

export function patroniProblems(guests: readonly PatroniWishes[]): readonly PatroniProblem[] {
  const remedy = "Leave one of the two out";
  const twice = (what: string, of: (guest: PatroniWishes) => readonly string[]): PatroniProblem[] => {
    const first = new Map<string, string>();
    return guests.flatMap((guest) =>
      of(guest).flatMap((name) => {
        const other = first.get(name);
        if (other === undefined) first.set(name, guest.guest);
        const rule = `is wanted by the guest "${other ?? ""}" and by the guest "${guest.guest}"`;
        return other === undefined ? [] : [{ about: `${what} ${name}`, value: name, rule, remedy }];
      }),
    );
  };
  const tooLong = (Object.keys(HOOK_SECONDS) as HookEvent[]).flatMap((event): PatroniProblem[] => {
    const hooks = withOwn(guests).flatMap(({ guest, hooks: own = [] }) =>
      own.filter((hook) => hook.event === event).map(({ timeoutSeconds }) => ({ guest, timeoutSeconds })),
    );
    const seconds = hooks.reduce((sum, hook) => sum + hook.timeoutSeconds, 0);
    if (seconds <= HOOK_SECONDS[event]) return [];
    const whose = hooks.map((hook) => `${hook.guest} ${hook.timeoutSeconds} s`).join(", ");
    const rule = `takes up to ${seconds} s (${whose}), and ${HOOK_SECONDS[event]} s is the most`;
    return [{ about: `hook ${event}`, value: seconds, rule, remedy: "Shorten them, or leave a guest out" }];
  });
  const vetoes = guests.flatMap(({ guest, hooks = [] }) =>
    hooks
      .filter(({ event, veto }) => veto !== undefined && event !== "pre_promote" && event !== "post_init")
      .map(({ event, veto }) => ({
        ...{ about: `hook ${event}`, value: veto, rule: `of the guest "${guest}" cannot keep from anything` },
        remedy: "Leave veto out: only pre_promote and post_init have one",
      })),
  );
  return [
    ...twice("the bootstrap", ({ bootstrap }) => (bootstrap === undefined ? [] : ["method"])),
    ...twice("the replica method", ({ replicaMethods: own = [] }) => own.map(({ name }) => name)),
    ...twice("the slot", ({ slots = {} }) => Object.keys(slots)),
    ...twice("the recovery setting", ({ recovery = {} }) => Object.keys(recovery)),
    ...tooLong,
    ...vetoes,
  ];
}
