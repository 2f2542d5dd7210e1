/** What `read` was given to look for. Without it there is nothing to go by: these resources cannot be imported. */
export function recordedState<T>(props: T | undefined): T {
  if (props === undefined)
    throw new Error("there is no recorded state of this resource; it cannot be imported");
  return props;
}
