import { resolve } from "node:path";
import { callPython } from "../../../support/python";

const SCRIPT = resolve(__dirname, "../../../../config-files/patroni/scripts/patroni-superuser-password");

/** What PostgreSQL 17 itself made of the password `SUPERMARKER1`. */
const OF_POSTGRES =
  "SCRAM-SHA-256$4096:kvvHMAWrUcBvb0oPf2ZN3Q==$AHgnl5UH1jUDGeovLUYvoyGkBsoUb20qfLsIkULWOaE=:ws8drGBr3mJKxaqzQMn83sWxsa19u+FnKn+mnno9fzo=";

describe("the superuser's password", () => {
  test("is recognised in what PostgreSQL keeps of it, and no other is", () => {
    const kept = [OF_POSTGRES, OF_POSTGRES, null, "md5abc", ""];
    const passwords = ["SUPERMARKER1", "SUPERMARKER2", "SUPERMARKER1", "SUPERMARKER1", "SUPERMARKER1"];
    expect(
      callPython(
        SCRIPT,
        "is_of",
        passwords.map((password, i) => [password, kept[i]]),
      ),
    ).toEqual([true, false, false, false, false]);
  });
});
