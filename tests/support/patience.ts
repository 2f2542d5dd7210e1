// Tests that start processes or containers wait by condition, with deadlines of their own, on machines of any speed; Jest's is only the
// last resort. (`testTimeout` in a project's configuration has no effect.)
jest.setTimeout(900_000);
