// Lint rules that hold the architecture: which folder may import what (docs/architecture.md, "Which way things depend").
import eslint from "@eslint/js";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const providers = {
  docker: {
    group: ["@pulumi/docker", "@pulumi/docker/*"],
    message: "Only components/platform/docker knows Docker.",
  },
  kubernetes: {
    group: ["@pulumi/kubernetes", "@pulumi/kubernetes/*"],
    message: "Only components/platform/kubernetes knows Kubernetes.",
  },
  pg: { group: ["pg"], message: "Only components/sql/session.ts opens database sessions." },
  pulumi: {
    group: ["@pulumi/*"],
    message: "config-files turn typed input into text and know nothing of Pulumi.",
  },
  product: {
    group: ["**/components/**", "**/stacks/**", "**/config-files/**"],
    message: "The plugins serve any program and know nothing of this product.",
  },
  upward: { group: ["**/stacks/**"], message: "Components do not know which stacks exist." },
  platforms: {
    group: ["**/platform/docker/**", "**/platform/kubernetes/**"],
    message: "Components speak to the Platform interface; stacks/ picks the platform.",
  },
};

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
    ignores: ["components/dynamic/tell.ts"],
    rules: {
      // Providers say what they do with `tell`, which ends them when nobody reads it any more.
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
  restrict(["stacks/**/*.ts", "commands/**/*.ts"], [providers.docker, providers.kubernetes, providers.pg]),
  restrict(
    ["components/**/*.ts"],
    [providers.docker, providers.kubernetes, providers.pg, providers.upward, providers.platforms],
    ["components/index.ts", "components/platform/**", "components/sql/session.ts"],
  ),
  restrict(["components/sql/session.ts"], [providers.docker, providers.kubernetes, providers.upward]),
  restrict(["components/platform/docker/**/*.ts"], [providers.kubernetes, providers.pg, providers.upward]),
  restrict(["components/platform/kubernetes/**/*.ts"], [providers.docker, providers.pg, providers.upward]),
  restrict(["config-files/**/*.ts"], [providers.docker, providers.pulumi, providers.pg, providers.upward]),
  restrict(["plugins/*.ts", "plugins/{docker,random}/**"], [providers.product, providers.pg]),
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
