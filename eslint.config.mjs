// Lint rules that hold the architecture: which folder may import what (docs/architecture.md, "Dependencies").
import eslint from "@eslint/js";
import prettier from "eslint-config-prettier";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

const packages = {
  docker: {
    group: ["@pulumi/docker", "@pulumi/docker/*"],
    message: "Only components/platforms/docker makes Docker's resources.",
  },
  kubernetes: {
    group: ["@pulumi/kubernetes", "@pulumi/kubernetes/*"],
    message: "Only components/platforms/kubernetes makes Kubernetes' resources.",
  },
  pg: { group: ["pg"], message: "Only components/resources/sql/session.ts opens database sessions." },
  pulumi: {
    group: ["@pulumi/*"],
    message: "config-files turn typed input into text and know nothing of Pulumi.",
  },
};

/** `target` may import, of what lies in `from`, only `except`. Paths of folders, from the project's. */
const zone = (target, from, except, message) => ({ target, from, except, message });
const rooms =
  "The rooms of components/ depend one way: dynamic <- reach <- resources <- platforms <- the components.";
const platforms = "A platform does not know the other one; what both have in common is in the folder above.";
const directions = [
  zone("./components/dynamic", "./components", ["./dynamic"], rooms),
  zone(
    "./components/settings",
    "./components",
    ["./settings"],
    "How settings are declared knows no component.",
  ),
  zone("./components/reach", "./components", ["./dynamic", "./reach"], rooms),
  zone("./components/resources", "./components", ["./dynamic", "./reach", "./resources"], rooms),
  zone(
    "./components/platforms",
    "./components",
    ["./dynamic", "./reach", "./resources", "./platforms", "./settings"],
    rooms,
  ),
  ...["reach", "platforms"].flatMap((room) => [
    zone(`./components/${room}/docker`, `./components/${room}/kubernetes`, [], platforms),
    zone(`./components/${room}/kubernetes`, `./components/${room}/docker`, [], platforms),
  ]),
  ...["stacks", "commands", "tests"].map((folder) =>
    zone("./components", `./${folder}`, [], "Components know neither the stacks nor the commands."),
  ),
  ...["commands", "tests"].map((folder) =>
    zone("./stacks", `./${folder}`, [], "Stacks do not know what runs them."),
  ),
  ...["components", "stacks", "commands", "tests"].map((folder) =>
    zone(
      "./config-files",
      `./${folder}`,
      [],
      "config-files turn typed input into text and know nothing else.",
    ),
  ),
  ...["./plugins/*.ts", "./plugins/{docker,random}/**"].flatMap((target) =>
    ["components", "stacks", "config-files"].map((folder) =>
      zone(target, `./${folder}`, [], "The plugins serve any program and know nothing of this product."),
    ),
  ),
  zone("./commands", "./tests", [], "What users run does not need the tests."),
];
/** Only stacks/ and the package's index pick a platform. */
const components = ["./components/!(index).ts", "./components/guests"].map((target) =>
  zone(
    target,
    "./components/platforms",
    ["./platform.ts", "./workload.ts", "./variables.ts", "./check-workload.ts"],
    "Components speak to the Platform interface; stacks/ picks the platform.",
  ),
);

/** @param {string[]} files @param {{group: string[], message: string}[]} patterns */
const restrict = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] },
});

export default tseslint.config(
  { ignores: ["node_modules/", "dist/", "coverage/", ".state/", "**/*.js", "**/*.mjs"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    // One project and one run: quicker than the language service for editors.
    languageOptions: { parserOptions: { project: "./tsconfig.json" } },
    rules: {
      // An Output in a template literal prints its toString; numbers are welcome.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Dynamic providers load packages inside functions: a program that only registers their resources must not wait for them.
      "@typescript-eslint/no-require-imports": "off",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-empty-function": "off",
      // A name for what a schema infers, so that editors and messages say the name.
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      // Interfaces whose methods are asynchronous have implementations that need not wait.
      "@typescript-eslint/require-await": "off",
      "max-lines": ["error", { max: 420, skipBlankLines: true, skipComments: true }],
    },
  },
  // Constructing a resource is its effect; it often needs no name.
  {
    files: ["components/**", "stacks/**", "tests/**", "plugins/tests/**"],
    rules: { "no-new": "off" },
  },
  {
    files: ["components/**/*.ts"],
    ignores: ["components/dynamic/progress.ts"],
    rules: {
      // Providers say what they do with `printProgress`, which ends them when nobody reads it any more.
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression.superClass[object.property.name='dynamic'][property.name='Resource']",
          message:
            "extend DynamicResource (components/dynamic/resource.ts): its provider is named in the state, and not kept there",
        },
      ],
    },
  },
  {
    files: ["**/*.ts"],
    plugins: { "import-x": importX },
    settings: { "import-x/resolver-next": [createNodeResolver({ extensions: [".ts", ".js", ".json"] })] },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones: [...directions, ...components] }],
      "import-x/no-cycle": "error",
    },
  },
  restrict(["**/*.ts"], [packages.docker, packages.kubernetes, packages.pg], ["**/tests/**", "plugins/**"]),
  restrict(["components/platforms/docker/**/*.ts"], [packages.kubernetes, packages.pg]),
  restrict(["components/platforms/kubernetes/**/*.ts"], [packages.docker, packages.pg]),
  restrict(["components/resources/sql/session.ts"], [packages.docker, packages.kubernetes]),
  restrict(["config-files/**/*.ts"], [packages.pulumi, packages.pg]),
  {
    files: ["**/tests/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  prettier,
);
