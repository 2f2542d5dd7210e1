import * as ts from "typescript";

/**
 * The description of each setting: the comment above its declaration, which editors also show where the setting is used. `name` is the
 * type of all settings in `file`. Returns the descriptions by path.
 */
export function sentences(file: string, name: string): ReadonlyMap<string, string> {
  const options: ts.CompilerOptions = {
    strict: true,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2022,
    esModuleInterop: true,
    types: [],
  };
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const exported =
    source && checker.getSymbolAtLocation(source)?.exports?.get(ts.escapeLeadingUnderscores(name));
  if (exported === undefined) throw new Error(`${file} does not export ${name}`);
  const found = new Map<string, string>();
  const walk = (type: ts.Type, prefix: string): void => {
    for (const property of type.getProperties()) {
      const [declaration] = property.getDeclarations() ?? [];
      // Properties declared outside this project are methods of strings or arrays.
      if (declaration === undefined || program.isSourceFileFromExternalLibrary(declaration.getSourceFile()))
        continue;
      if (program.isSourceFileDefaultLibrary(declaration.getSourceFile())) continue;
      const text = ts.displayPartsToString(property.getDocumentationComment(checker));
      const path = `${prefix}${property.getName()}`;
      found.set(path, text.replaceAll(/\s+/g, " "));
      walk(checker.getNonNullableType(checker.getTypeOfSymbol(property)), `${path}.`);
    }
  };
  walk(checker.getDeclaredTypeOfSymbol(exported), "");
  return found;
}
