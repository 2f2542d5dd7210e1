// A unit test that hangs is told of while somebody still waits. On an idle machine none takes twenty seconds; on a busy one some take a
// hundred.
jest.setTimeout(300_000);
