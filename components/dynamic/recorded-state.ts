/** The recorded state that `read` receives. It has none in an import, which these resources do not support. */
export function recordedState<T>(props: T | undefined): T {
  if (props === undefined) throw new Error("this resource has no recorded state and cannot be imported");
  return props;
}
