/** What guests request from Patroni, and how the requests are merged into one configuration. */

/**
 * When a hook runs: https://patroni.readthedocs.io/en/latest/yaml_configuration.html#postgresql
 * `post_init` once, after the database is created; `before_stop` before PostgreSQL is stopped on purpose; `pre_promote` before a replica is
 * promoted; the others after the event, with the member's new role.
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
  /** A command, run without a shell. Patroni's arguments are appended: for callbacks the event, the role and the scope. */
  readonly command: readonly string[];
  /** At least 1; after it the hook is killed, and the next one runs. All hooks of an event together have at most `HOOK_SECONDS`. */
  readonly timeoutSeconds: number;
  /**
   * Why a failure of the hook must abort the event: with `pre_promote` the member is not promoted and releases the leader key, with `post_init`
   * the bootstrap fails. Default: a failure is only logged. Other events cannot be aborted.
   */
  readonly veto?: string;
}

/** How the first member gets its data, instead of initdb: https://patroni.readthedocs.io/en/latest/replica_bootstrap.html#bootstrap */
export interface BootstrapMethod {
  /** Letters, digits and underscores. */
  readonly name: string;
  /** Split as in a shell; Patroni appends `--scope` and `--datadir`. */
  readonly command: string;
  /** PostgreSQL's recovery settings for the first start. Default: those that the command has written are kept. */
  readonly recovery?: Readonly<Record<string, string>>;
}

/** How a new replica gets its data; methods of guests are tried before `basebackup`. */
export interface ReplicaMethod {
  readonly name: string;
  readonly command: string;
  /** Whether the method continues with an existing data directory. Default false: the directory is emptied first. */
  readonly keepData?: boolean;
  /** Whether the method works without a running member to copy from. Default false. */
  readonly withoutLeader?: boolean;
}

export type Slot =
  | { readonly type: "physical" }
  | { readonly type: "logical"; readonly database: string; readonly plugin: string };

export interface PatroniWishes {
  readonly guest: string;
  /** In the order in which they run, after those of earlier guests. */
  readonly hooks?: readonly Hook[];
  readonly bootstrap?: BootstrapMethod;
  readonly replicaMethods?: readonly ReplicaMethod[];
  /** Recovery settings of replicas, such as `restore_command`. */
  readonly recovery?: Readonly<Record<string, string>>;
  /** Permanent replication slots by name, which Patroni keeps across failovers. */
  readonly slots?: Readonly<Record<string, Slot>>;
}

/**
 * How long all hooks of an event may take together, in seconds. While a leader stops or is promoted, clients are held, for at most 15 s.
 * Callbacks run in the background.
 */
export const HOOK_SECONDS: Readonly<Record<HookEvent, number>> = {
  ...{ before_stop: 15, pre_promote: 15, post_init: 600 },
  ...{ on_start: 600, on_role_change: 600, on_reload: 600, on_restart: 600, on_stop: 15 },
};

/** The database's own hooks, as those of a first guest that is always there. */
const OWN: PatroniWishes = {
  guest: "database",
  hooks: [
    // Patroni must not know the superuser's password: in a Citus cluster it would store it in a table.
    ...(["post_init"] as const).map((event) => ({
      ...{ event, command: ["patroni-superuser-password"], timeoutSeconds: 60 },
      veto: "without a password `pulumi up` cannot log in and finish the database",
    })),
    // The current leader may have been a replica when the secret changed.
    ...(["on_start", "on_role_change"] as const).map((event) => ({
      ...{ event, command: ["patroni-superuser-password"], timeoutSeconds: 60 },
    })),
  ],
};

const withOwn = (guests: readonly PatroniWishes[]): readonly PatroniWishes[] => [OWN, ...guests];

/** `hooks.json` for the script `patroni-hooks`: the hooks of each event, in order. */
export function hooksJson(guests: readonly PatroniWishes[]): string {
  const byEvent: Partial<Record<HookEvent, object[]>> = {};
  for (const { guest, hooks = [] } of withOwn(guests))
    for (const { event, ...hook } of hooks) (byEvent[event] ??= []).push({ guest, ...hook });
  return JSON.stringify(byEvent, undefined, 2) + "\n";
}

/** Patroni's command for an event with hooks. */
const command = (event: HookEvent): string => `/usr/local/bin/patroni-hooks ${event}`;

/** The commands in Patroni's `postgresql` section. A callback gets the event from Patroni as an argument. */
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

/** What guests add to the dynamic configuration. */
export function guestDynamics(guests: readonly PatroniWishes[]) {
  const slots = united(guests, ({ slots: own = {} }) => own);
  const recovery = united(guests, ({ recovery: own = {} }) => own);
  return {
    ...(Object.keys(slots).length > 0 && { slots }),
    recovery: Object.keys(recovery).length > 0 ? { recovery_conf: recovery } : {},
  };
}

/** A conflict between guests, or an invalid hook: what it is about, and why. */
export interface PatroniProblem {
  readonly about: string;
  readonly value: unknown;
  readonly rule: string;
  readonly remedy: string;
}

export function patroniProblems(guests: readonly PatroniWishes[]): readonly PatroniProblem[] {
  const remedy = "Remove one of the two";
  const twice = (what: string, of: (guest: PatroniWishes) => readonly string[]): PatroniProblem[] => {
    const first = new Map<string, string>();
    return guests.flatMap((guest) =>
      of(guest).flatMap((name) => {
        const other = first.get(name);
        if (other === undefined) first.set(name, guest.guest);
        const rule = `is set by two guests, "${other ?? ""}" and "${guest.guest}"`;
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
    const rule = `may take ${seconds} s in total (${whose}), but at most ${HOOK_SECONDS[event]} s are allowed`;
    return [
      {
        about: `hook ${event}`,
        value: seconds,
        rule,
        remedy: "Lower their timeoutSeconds, or remove a guest",
      },
    ];
  });
  const vetoes = guests.flatMap(({ guest, hooks = [] }) =>
    hooks
      .filter(({ event, veto }) => veto !== undefined && event !== "pre_promote" && event !== "post_init")
      .map(({ event, veto }) => ({
        ...{ about: `hook ${event}`, value: veto, rule: `of the guest "${guest}" cannot veto the event` },
        remedy: "Remove veto: only pre_promote and post_init have one",
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
