/** @type {import("jest").Config} */
const base = {
  testEnvironment: "<rootDir>/tests/support/environment.ts",
  transform: { "^.+\\.ts$": "<rootDir>/scripts/typescript.js" },
  // As scripts/lazy-modules.js does it in a run: without, every test file that imports the SDK loads 500 modules it does not use.
  moduleNameMapper: {
    "^typescript$": "<rootDir>/tests/support/lazy/typescript.js",
    "^@npmcli/arborist$": "<rootDir>/tests/support/lazy/arborist.js",
    "^@kubernetes/client-node$": "<rootDir>/tests/support/lazy/kubernetes-client.js",
  },
};

/** @param {string} displayName @param {string[]} testMatch */
const project = (displayName, testMatch, extra = {}) => ({ ...base, displayName, testMatch, ...extra });

const patient = { setupFilesAfterEnv: ["<rootDir>/tests/support/patience.ts"] };

module.exports = {
  // Istanbul's counters would end up inside serialised providers.
  coverageProvider: "v8",
  projects: [
    // Without Docker, in seconds.
    project(
      "unit",
      [
        ...["tests/unit", "plugins/tests"].map((at) => `<rootDir>/${at}/**/!(*.docker).test.ts`),
        "<rootDir>/tests/golden/**/*.test.ts",
      ],
      { setupFilesAfterEnv: ["<rootDir>/tests/support/unit-patience.ts"] },
    ),
    // On containers of their own.
    project(
      "docker",
      ["tests/unit", "plugins/tests"].map((at) => `<rootDir>/${at}/**/*.docker.test.ts`),
      patient,
    ),
    project("sql", ["<rootDir>/tests/sql/**/*.test.ts"], patient),
    project("programs", ["<rootDir>/tests/programs/**/*.test.ts"], patient),
    // On the stack that setup.ts brings up.
    project("cluster", ["<rootDir>/tests/cluster/**/*.test.ts"], {
      globalSetup: "<rootDir>/tests/cluster/setup.ts",
      globalTeardown: "<rootDir>/tests/cluster/teardown.ts",
      ...patient,
    }),
    // On Kubernetes, where KUBECONFIG names a cluster or `make kube-up` has started one.
    project("kubernetes", ["<rootDir>/tests/kubernetes/**/*.test.ts"], patient),
    // On a stack of their own that its setup.ts brings up, where a package of Citus is on this machine.
    project("citus", ["<rootDir>/tests/citus/**/*.test.ts"], {
      globalSetup: "<rootDir>/tests/citus/setup.ts",
      globalTeardown: "<rootDir>/tests/citus/teardown.ts",
      ...patient,
    }),
  ],
};
