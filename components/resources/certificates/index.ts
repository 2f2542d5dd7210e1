export { CertificateAuthority } from "./certificate-authority";
export type { CertificateAuthorityArgs } from "./certificate-authority";
export { Certificate } from "./certificate";
export type { CertificateArgs } from "./certificate";
