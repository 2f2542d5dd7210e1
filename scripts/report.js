// What scripts/test.sh makes of the results that Jest wrote as JSON: prints `passed failed skipped`, tells on standard error which tests
// were slow, and adds to a file what the end of the whole output says of each failure.
//
//   node scripts/report.js <results> <failures>
const { appendFileSync, readFileSync } = require("node:fs");

const SLOW_MS = 20_000;
/** Of a message: how it begins, and how it ends, where a command's output has its error. */
const FIRST = 4;
const LAST = 10;
/** What tests/support/environment.ts says of a test whose set-up failed at another one. */
const NOT_RUN = "not run, since what it needs could not be set up";

/** A message without colours and the lines of its stack, and of a long one not all lines. */
function brief(message) {
  const lines = message
    .replace(/\x1b\[[0-9;]*m/g, "")
    .trim()
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  const left = lines.length - FIRST - LAST;
  if (left > 0) lines.splice(FIRST, left, `[${left} lines]`);
  return lines.map((line) => `    ${line}`).join("\n");
}

function failuresOf({ name, message, assertionResults: tests }) {
  if (tests.length === 0 && message) return [`${name}\n${brief(message)}`];
  const failed = tests.filter(({ status }) => status === "failed");
  const run = failed.filter(({ failureMessages: [first = ""] }) => !first.includes(NOT_RUN));
  const notRun = failed.length - run.length;
  return [
    ...run.map(({ fullName, failureMessages: [first = ""] }) => `${fullName}\n${brief(first)}`),
    ...(notRun > 0 ? [`${notRun} more of ${name}, ${NOT_RUN}`] : []),
  ];
}

const [results, failures] = process.argv.slice(2);
const report = JSON.parse(readFileSync(results, "utf8"));
// A suite that could not even run has no failed test in it, and counts as one.
console.log(
  report.numPassedTests,
  report.numFailedTests + report.numRuntimeErrorTestSuites,
  report.numPendingTests + report.numTodoTests,
);
const slow = report.testResults
  .flatMap((suite) => suite.assertionResults)
  .filter(({ duration }) => duration > SLOW_MS)
  .sort((a, b) => b.duration - a.duration);
for (const { fullName, duration } of slow)
  console.error(`${(duration / 1000).toFixed(0).padStart(6)} s  ${fullName}`);
appendFileSync(
  failures,
  report.testResults
    .flatMap(failuresOf)
    .map((failure) => `failed: ${failure}\n`)
    .join(""),
);
