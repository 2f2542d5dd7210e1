import type { Probe } from "../workload";

/**
 * A duration in the format of Go's `Duration.String()`: `1m0s`, not `60s`. Docker returns it in this format and the provider
 * compares texts, so any other format would show a change in every preview.
 */
export function goDuration(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  if (milliseconds === 0) return "0s";
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor(milliseconds / 60_000) % 60;
  const rest = `${(milliseconds % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

/** Quotes a word for a POSIX shell. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/** Timeout of the whole health check. */
export const healthCheckTimeout = (readiness: Probe, liveness?: Probe): number =>
  liveness ? readiness.timeoutSeconds + liveness.timeoutSeconds + 1 : readiness.timeoutSeconds;

/**
 * The command of Docker's health check. Docker has a single check and does nothing if it fails, so the liveness check is part of it: if
 * a member is not ready and its liveness check has failed for as long as the spec allows, everything but PID 1 is killed, and the
 * supervisor restarts the program. A ready member is alive, so normally only one of the two checks runs.
 */
export function healthCheckTest(readiness: Probe, liveness?: Probe): readonly string[] {
  if (!liveness) return ["CMD", ...readiness.command];
  // `kill -1` signals all processes of the container's user except PID 1 and the caller.
  const script = livenessScript(readiness, liveness, "/dev/shm/.liveness", "kill -s KILL -- -1");
  return ["CMD", "/bin/sh", "-c", script];
}

/** The script of `healthCheckTest`. Tests replace its state file and its kill command. */
export function livenessScript(readiness: Probe, liveness: Probe, state: string, kill: string): string {
  const run = (probe: Probe): string =>
    `timeout -k 1 ${probe.timeoutSeconds} ${probe.command.map(shellWord).join(" ")}`;
  const allowedSeconds = liveness.intervalSeconds * liveness.failureThreshold;
  return [
    "now=$(date +%s)",
    `[ -e ${state}.start ] || echo $now > ${state}.start`,
    `if ${run(readiness)}; then rm -f ${state}.failing; exit 0; fi`,
    `if ${run(liveness)} > /dev/null; then rm -f ${state}.failing; exit 1; fi`,
    `read -r start < ${state}.start`,
    `[ $now -ge $((start + ${liveness.startPeriodSeconds})) ] || exit 1`,
    `[ -e ${state}.failing ] || echo $now > ${state}.failing`,
    `read -r failing < ${state}.failing`,
    `[ $((now - failing)) -ge ${allowedSeconds} ] || exit 1`,
    `rm -f ${state}.start ${state}.failing`,
    `echo "not alive for ${allowedSeconds} s: everything is killed and started again"`,
    kill,
    "exit 1",
  ].join("\n");
}
