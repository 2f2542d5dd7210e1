// Names of resources: urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>.

export const STACK_TYPE = "pulumi:pulumi:Stack";

export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** With the types of the parents, joined by `$`. */
  readonly qualifiedType: string;
  readonly type: string;
  readonly name: string;
}

export function parseUrn(urn: string): UrnParts {
  const [head = "", project = "", qualifiedType = "", ...name] = urn.split("::");
  return {
    stack: head.slice("urn:pulumi:".length),
    project,
    qualifiedType,
    type: qualifiedType.slice(qualifiedType.lastIndexOf("$") + 1),
    name: name.join("::"),
  };
}

export function makeUrn(stack: string, project: string, parent: string, type: string, name: string): string {
  const parentType = parent === "" ? "" : parseUrn(parent).qualifiedType;
  const qualified = parentType === "" || parentType === STACK_TYPE ? type : `${parentType}$${type}`;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

/** How people meet a resource in the output: its type without the repeated module, and its name. */
export function label(urn: string): { type: string; name: string } {
  const { type, name } = parseUrn(urn);
  const [pkg, module, kind] = type.split(":");
  // docker:index/container:Container says "container" twice.
  const file = module?.split("/");
  const short = file?.length === 2 && file[1]?.toLowerCase() === kind?.toLowerCase() ? file[0] : module;
  return { type: kind === undefined ? type : `${pkg}:${short}:${kind}`, name };
}

/** The URN in a provider reference `<urn>::<id>`. */
export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}
