import { resolve } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { IMAGES, type Images } from "../../../config-files/images";
import { type AdoptArgs, ClusterOwner } from "../../resources/ownership";
import { DNS_LABEL, CLUSTER_NAME_MAX, replicaName, workloadName } from "../../reach/names";
import type { Deployment, DeployOptions, Platform } from "../platform";
import type { Reach } from "../../reach/reach";
import { PROGRAM_UID, type SecretData, type SecretRef, type WorkloadSpec } from "../workload";
import { AllReady } from "./all-ready";
import { ContainerReady } from "./container-ready";
import { Leaving } from "./leaving";
import {
  buildContext,
  contentDigest,
  extraCaCertificates,
  imageTag,
  MACHINE_CERTIFICATES,
} from "./image-build";
import { MountedFiles, type MountedFilesArgs } from "./mounted-files";
import { LABELS, secretVolumeName } from "../../reach/docker/names";
import { dockerAddress, renderDocker, type RenderedMember } from "./render";
import {
  dockerMembers,
  replacementOrder,
  type ReplacementOrder,
  type RunningMembers,
} from "./replacement-order";
import { Handover } from "./handover";

export interface DockerPlatformArgs {
  /** Name of the cluster; the prefix of all names on the engine: `pg-dev`. */
  readonly cluster: string;
  /** Folder with additional CA certificates that image builds trust. Default: Debian's folder for those of this machine. */
  readonly caCertificates?: string;
  /** The images that workloads can use. Default: those in `config-files/images.ts`. */
  readonly images?: Images;
  /** The build context of the images. Default: `config-files`. */
  readonly imagesDirectory?: string;
  /** Reads which members are running. Default: from the engine's API; tests replace it. */
  readonly runningMembers?: RunningMembers;
  /** Adopts a cluster whose owner's state is lost or abandoned. Default: no adoption. */
  readonly adopt?: AdoptArgs;
  /** Id of the existing network of an adopted cluster, which is imported. Default: the network is created. */
  readonly existingNetwork?: string;
}

const DEFAULTS = {
  caCertificates: MACHINE_CERTIFICATES,
  images: IMAGES,
  imagesDirectory: resolve(__dirname, "../../../config-files"),
  runningMembers: dockerMembers,
};

/**
 * One Docker engine as a platform: a network, locally built images, and one container and one data volume per replica.
 *
 * @example
 * const platform = new DockerPlatform({ cluster: "pg-dev" });
 */
export class DockerPlatform extends pulumi.ComponentResource implements Platform {
  readonly kind = "docker";
  readonly owner: ClusterOwner;
  readonly ground: pulumi.Resource;
  private readonly args: Required<Omit<DockerPlatformArgs, "adopt" | "existingNetwork">>;
  private readonly network: docker.Network;
  private readonly images = new Map<
    string,
    { readonly tag: string; readonly resource: docker.RemoteImage }
  >();
  private readonly secrets = new Map<string, pulumi.Resource>();

  constructor(args: DockerPlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    if (!DNS_LABEL.test(args.cluster) || args.cluster.length > CLUSTER_NAME_MAX) {
      throw new pulumi.RunError(
        `The cluster's name "${args.cluster}" must be a DNS label of at most ${CLUSTER_NAME_MAX} characters.`,
      );
    }
    super("postgres-cluster:index:DockerPlatform", args.cluster, { cluster: args.cluster }, opts);
    this.args = { ...DEFAULTS, ...withoutUndefined(args) };
    this.owner = new ClusterOwner({ via: "docker", cluster: args.cluster }, args.adopt, { parent: this });
    this.ground = this.owner;
    this.network = new docker.Network(
      `${args.cluster}-network`,
      { name: args.cluster, driver: "bridge", labels: this.labels() },
      {
        ...{ parent: this, dependsOn: [this.owner], deleteBeforeReplace: true },
        ...(args.existingNetwork !== undefined && { import: args.existingNetwork }),
      },
    );
    this.registerOutputs({ network: args.cluster });
  }

  deploy(spec: WorkloadSpec, options: DeployOptions): Deployment {
    const image = this.image(spec.image);
    const rendered = renderDocker(spec, {
      cluster: this.args.cluster,
      network: this.args.cluster,
      image: image.tag,
    });
    const workload = workloadName(this.args, spec.name);
    const { parent } = options;
    const after = options.configuredAfter;
    const files = rendered.fileVolumes.map((v) =>
      this.files(v.volume, v.files, { parent }, spec.name, after),
    );
    const prerequisites: pulumi.Resource[] = [
      ...[this.network, image.resource, ...files, ...(options.dependsOn ?? [])],
      ...Object.entries(spec.secrets ?? {}).map(([path, secret]) =>
        this.secretFiles(secret, `${spec.name}.secrets[${path}]`),
      ),
    ];
    if (spec.handover) {
      const labels = this.labels(spec.name).map(({ label, value }) => `${label}=${value}`);
      const { replicas } = spec;
      const dependsOn = [...(options.dependsOn ?? [])];
      prerequisites.push(
        new Leaving(`${workload}-leaving`, { workload, labels, replicas }, { parent, dependsOn }),
      );
    }

    // Resources are declared synchronously; only their dependencies are determined asynchronously.
    const order = replacementOrder(rendered.members, this.args.runningMembers);
    const replaced: pulumi.Resource[] = [];
    const containers: pulumi.Resource[] = [];
    const waitsFor = async (member: RenderedMember): Promise<pulumi.Input<pulumi.Resource>[]> => [
      ...prerequisites,
      ...previous(await order, member, replaced),
    ];
    for (const member of rendered.members) {
      const { name } = member;
      const handover = new Handover(
        `${name}-handover`,
        { container: name, digest: member.digest, ...(member.handover && { handover: member.handover }) },
        { parent, dependsOn: waitsFor(member) },
      );
      const container = new docker.Container(name, member.container, {
        ...member.containerOptions,
        parent,
        dependsOn: [handover, ...prerequisites, ...this.dataVolume(member, spec, options)],
      });
      containers.push(container);
      replaced.push(
        new ContainerReady(
          `${name}-ready`,
          {
            ...{ ...awaited(member), deadlineSeconds: readyDeadline(spec) },
            joins: order.then(({ serves }) => serves),
          },
          { parent, dependsOn: [container] },
        ),
      );
    }
    return {
      image: image.tag,
      started: replaced,
      ready: (after = []) =>
        new AllReady(
          `${workload}-ready`,
          { workload, members: rendered.members.map(awaited), deadlineSeconds: readyDeadline(spec) },
          { parent, dependsOn: [...containers, ...replaced, ...after] },
        ),
    };
  }

  secret(name: string, data: SecretData, options: { readonly parent: pulumi.Resource }): SecretRef {
    if (this.secrets.has(name)) throw new pulumi.RunError(`The secret "${name}" is declared twice.`);
    const volume = secretVolumeName(this.args.cluster, name);
    this.secrets.set(
      name,
      this.files(volume, pulumi.secret(data), { parent: options.parent, additionalSecretOutputs: ["files"] }),
    );
    return { name };
  }

  certificate(): never {
    throw new pulumi.RunError(
      "Docker has no certificate issuers: remove certificates.issuer, and the cluster uses its own authority.",
    );
  }

  replicaName(workload: string, ordinal: number): string {
    return replicaName(this.args, workload, ordinal);
  }

  replicaAddress(workload: string, ordinal: number): string {
    return dockerAddress(this.args, workload, ordinal);
  }

  /** A network alias that all members share. Docker's DNS resolves it to every running member, ready or not. */
  serviceAddress(workload: string): string {
    return workloadName(this.args, workload);
  }

  /** Ports are published on loopback, which all certificates include. */
  exposedNames(): readonly string[] {
    return [];
  }

  reachableFromHere(workload: string, ordinal: number, port: number): Reach {
    return { via: "docker", container: this.replicaName(workload, ordinal), port };
  }

  exposedAddresses({ name, exposed, replicas }: WorkloadSpec, portName: string): readonly string[] {
    const port = exposed?.hostPorts[portName];
    if (!exposed || port === undefined)
      throw new pulumi.RunError(`${name} does not expose a port "${portName}".`);
    return [...Array(replicas).keys()].map((i) => `127.0.0.1:${port + i * exposed.replicaStep}`);
  }

  /** Workloads share images, so images belong to the platform and are declared on first use. */
  private image(key: string): { readonly tag: string; readonly resource: docker.RemoteImage } {
    const known = this.images.get(key);
    if (known) return known;
    const source = this.args.images[key];
    if (!source) {
      throw new pulumi.RunError(
        `Image "${key}" does not exist. Use one of ${Object.keys(this.args.images).join(", ")}.`,
      );
    }
    const { cluster, imagesDirectory, caCertificates } = this.args;
    const extra = source.usesExtraCaCertificates ? extraCaCertificates(caCertificates) : undefined;
    const tag = imageTag(key, source, imagesDirectory);
    const resource = new docker.RemoteImage(
      `${cluster}-image-${key}`,
      {
        name: tag,
        build: {
          context: buildContext(key, source, imagesDirectory),
          dockerfile: source.dockerfile,
          buildArgs: { ...source.buildArgs, ...(extra && { EXTRA_CA_CERTIFICATES: extra }) },
        },
        // Other stacks' containers may use it, and a rollback to the previous version needs no build.
        keepLocally: true,
        // The provider detects changed files only through this.
        triggers: { content: contentDigest(source, imagesDirectory) },
      },
      { parent: this, dependsOn: [this.owner] },
    );
    this.images.set(key, { tag, resource });
    return { tag, resource };
  }

  /** A volume with files in it. */
  private files(
    volume: string,
    files: MountedFilesArgs["files"],
    options: pulumi.CustomResourceOptions,
    workload?: string,
    after: readonly pulumi.Resource[] = [],
  ): pulumi.Resource {
    const { parent } = options;
    const place = new docker.Volume(volume, { name: volume, labels: this.labels(workload) }, { parent });
    return new MountedFiles(
      `${volume}-content`,
      { volume, files, owner: PROGRAM_UID },
      { ...options, dependsOn: [place, ...after] },
    );
  }

  private secretFiles(secret: SecretRef, path: string): pulumi.Resource {
    const files = this.secrets.get(secret.name);
    if (!files)
      throw new pulumi.RunError(`${path}: secret "${secret.name}" does not exist on this platform.`);
    return files;
  }

  private dataVolume(member: RenderedMember, spec: WorkloadSpec, options: DeployOptions): docker.Volume[] {
    if (!member.dataVolume) return [];
    const labels = [...this.labels(spec.name), { label: LABELS.replica, value: member.name }];
    return [
      new docker.Volume(
        member.dataVolume,
        { name: member.dataVolume, labels },
        { parent: options.parent, retainOnDelete: true },
      ),
    ];
  }

  private labels(workload?: string): { label: string; value: string }[] {
    return [
      { label: LABELS.stack, value: this.args.cluster },
      ...(workload ? [{ label: LABELS.workload, value: workload }] : []),
    ];
  }
}

const awaited = ({ name, digest, readiness: { command, timeoutSeconds } }: RenderedMember) => ({
  container: name,
  digest,
  readiness: { command, timeoutSeconds },
});

/** What a member waits for in a rolling update: the previous member must be ready again. */
function previous(
  order: ReplacementOrder,
  member: RenderedMember,
  replaced: readonly pulumi.Resource[],
): pulumi.Resource[] {
  const before = order.ordinals[order.ordinals.indexOf(member.ordinal) - 1];
  return order.oneByOne ? replaced.filter((_, ordinal) => ordinal === before) : [];
}

/** The start period, the checks after it, and a minute in reserve for a busy machine. */
const readyDeadline = ({ readiness }: WorkloadSpec): number =>
  Math.max(
    120,
    readiness.startPeriodSeconds +
      readiness.failureThreshold * (readiness.intervalSeconds + readiness.timeoutSeconds) +
      60,
  );

/** An undefined argument must not override a default. */
const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
