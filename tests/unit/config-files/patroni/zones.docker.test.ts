import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** What PostgreSQL of the image says of each zone when it is to start with it. */
const ZONES = `
import glob, json, subprocess
bin = glob.glob("/usr/lib/postgresql/*/bin")[0]
subprocess.run([f"{bin}/initdb", "--no-sync", "--pgdata", "/tmp/scratch"], check=True, capture_output=True)
said = {}
for zone in ["Europe/Berlin", "US/Eastern", "Asia/Calcutta", "GB", "Europe/Brelin"]:
    done = subprocess.run([f"{bin}/postgres", "-D", "/tmp/scratch", "-c", f"timezone={zone}", "-C", "timezone"], capture_output=True, text=True)
    said[zone] = done.stdout.strip() or "refused"
print(json.dumps(said))
`;

describeWithImage("time zones of the database's image", () => {
  test("are those of today and, for applications that still use them, the names of before; a mistyped one is none", () => {
    expect(runInPatroniImage(ZONES)).toEqual({
      "Europe/Berlin": "Europe/Berlin",
      "US/Eastern": "US/Eastern",
      "Asia/Calcutta": "Asia/Calcutta",
      GB: "GB",
      "Europe/Brelin": "refused",
    });
  }, 120_000);
});
