import { planCertificate } from "../../../../components/resources/certificates/renewal";

const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-12-27T00:00:00Z"); // 360 days
const day = (n: number) => new Date(notBefore.getTime() + n * 86_400_000);

describe("planCertificate", () => {
  it("issues when there is none", () => {
    expect(planCertificate(day(0), undefined)).toEqual({
      action: "issue",
      why: "there is no readable certificate",
    });
  });

  it("keeps it while a third of the lifetime or more is left", () => {
    expect(planCertificate(day(0), { notBefore, notAfter })).toEqual({ action: "keep" });
    expect(planCertificate(day(240), { notBefore, notAfter })).toEqual({ action: "keep" });
  });

  it("renews it when less than a third is left", () => {
    expect(planCertificate(day(240.01), { notBefore, notAfter })).toEqual({
      action: "renew",
      why: "less than a third of its lifetime is left; it expires on 2026-12-27T00:00:00.000Z",
    });
  });

  it("renews one that has expired", () => {
    expect(planCertificate(day(400), { notBefore, notAfter })).toEqual({
      action: "renew",
      why: "it expired on 2026-12-27T00:00:00.000Z",
    });
  });
});
