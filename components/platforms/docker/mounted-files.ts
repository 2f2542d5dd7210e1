import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, isNotFound } from "../../reach/docker/engine";
import { type Files, sameFiles } from "../../reach/docker/mounted-files-layout";
import { readVolume, removeHelpers, writeVolume } from "../../reach/docker/volume-files";

export interface MountedFilesInputs {
  readonly volume: string;
  /** Texts by file name. */
  readonly files: Files;
  /** User and group that the files belong to. */
  readonly owner: number;
}

export const mountedFilesProvider: pulumi.dynamic.ResourceProvider<MountedFilesInputs, MountedFilesInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["volume", "files", "owner"], "volume");
  },

  async create(inputs) {
    await writeVolume(dockerEngine(), inputs.volume, inputs.files, inputs.owner);
    return { id: inputs.volume, outs: inputs };
  },

  // Reports the resource as deleted unless the volume contains exactly these files, so that the next `up` writes them again.
  async read(id, props) {
    const engine = dockerEngine();
    if (!props) return {};
    const { volume, files } = props;
    try {
      await engine.getVolume(volume).inspect();
    } catch (error) {
      if (isNotFound(error)) return {};
      throw error;
    }
    return sameFiles((await readVolume(engine, volume)).files, files) ? { id, props } : {};
  },

  async update(_id, _olds, news) {
    await writeVolume(dockerEngine(), news.volume, news.files, news.owner);
    return { outs: news };
  },

  // The files are deleted with the volume, which is a separate resource. A leftover helper would prevent that.
  async delete(_id, props) {
    await removeHelpers(dockerEngine(), props.volume);
  },
};

export interface MountedFilesArgs {
  readonly volume: string;
  readonly files: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  readonly owner: number;
}

/** Files in a named volume, changed atomically for the programs that read them. */
export class MountedFiles extends DynamicResource {
  constructor(name: string, args: MountedFilesArgs, opts: pulumi.CustomResourceOptions) {
    super(
      "platforms/docker/mounted-files#mountedFilesProvider",
      name,
      args,
      opts,
      "postgres-cluster",
      "MountedFiles",
    );
  }
}
