import type { Probe } from "../workload";

/**
 * A duration as Go's `Duration.String()` writes it: `1m0s`, not `60s`. Docker's answer comes back in this form, and the provider
 * compares texts: any other form is a change in every preview.
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

/** A word as POSIX shells read it literally. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/** How long Docker gives the whole check. */
export const healthCheckTimeout = (readiness: Probe, liveness?: Probe): number =>
  liveness ? readiness.timeoutSeconds + liveness.timeoutSeconds + 1 : readiness.timeoutSeconds;

/**
 * What Docker's health check runs. Docker has one check and does nothing when it fails, so the liveness check is part of it: when
 * a member is not ready and its liveness check has failed for as long as the spec allows, everything but PID 1 is killed, and the
 * supervisor starts the program again. A ready member is alive, so in normal operation one program runs, not two.
 */
export function healthCheckTest(readiness: Probe, liveness?: Probe): readonly string[] {
  if (!liveness) return ["CMD", ...readiness.command];
  // `kill -1` spares PID 1 and the caller, and reaches what is in the container and of its user.
  const script = livenessScript(readiness, liveness, "/dev/shm/.liveness", "kill -s KILL -- -1");
  return ["CMD", "/bin/sh", "-c", script];
}

/** The script behind `healthCheckTest`, with what a test must be able to replace: where it keeps its state and how it kills. */
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
