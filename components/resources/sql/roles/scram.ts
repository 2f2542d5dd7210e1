/**
 * SCRAM-SHA-256 verifiers as PostgreSQL stores them. They are computed here, so that the password is never sent and cannot appear in a log.
 * Format and parameters: src/common/scram-common.c, RFC 5802, RFC 7677.
 */

const ITERATIONS = 4096;

/** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` */
export function scramVerifier(password: string, salt?: Buffer, iterations: number = ITERATIONS): string {
  const { createHash, createHmac, pbkdf2Sync, randomBytes } =
    require("node:crypto") as typeof import("node:crypto");
  const usedSalt = salt ?? randomBytes(16);
  const salted = pbkdf2Sync(password, usedSalt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${usedSalt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** Whether a stored verifier matches the password. */
export function matchesVerifier(password: string, stored: string | null): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$[^:]+:.+$/.exec(stored ?? "") ?? [];
  if (iterations === undefined || salt === undefined) return false;
  return scramVerifier(password, Buffer.from(salt, "base64"), Number(iterations)) === stored;
}
