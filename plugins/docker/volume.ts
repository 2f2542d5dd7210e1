import type Docker from "dockerode";
import { setTimeout as sleep } from "node:timers/promises";
import { changedKeys, type Properties } from "../properties";
import type { Provider } from "../provider";
import { meant, VOLUME, withDefaults } from "./defaults";
import { isStatus } from "./engine";
import { labelBlocks, labelMap, record, replaceAll, text } from "./values";

const RELEASE_TIMEOUT_MS = 30_000;

export function volumeOutputs(volume: Docker.VolumeInspectInfo): Properties {
  return {
    __meta: '{"schema_version":"1"}',
    id: volume.Name,
    name: volume.Name,
    cluster: null,
    driver: volume.Driver,
    driverOpts: volume.Options && Object.keys(volume.Options).length > 0 ? { ...volume.Options } : null,
    labels: labelBlocks(volume.Labels),
    mountpoint: volume.Mountpoint,
  };
}

export function volumeProvider(docker: Docker): Provider {
  return {
    check: ({ name }, news, olds) => ({
      inputs: withDefaults(VOLUME, name, news, olds),
      failures:
        news.cluster === undefined
          ? []
          : [{ property: "cluster", reason: "this plugin knows no Swarm volumes; the vendor's does" }],
    }),
    diff: (_, olds, news) => replaceAll(changedKeys(meant(olds.inputs), meant(news)), news),
    // Docker gives back the volume that has this name already, with its data: one that a killed run made is thereby adopted.
    async create(_, inputs) {
      const name = text(inputs.name);
      await docker.createVolume({
        Name: name,
        Driver: text(inputs.driver) || "local",
        DriverOpts: record(inputs.driverOpts),
        Labels: labelMap(inputs.labels),
      });
      return { id: name, outputs: volumeOutputs(await docker.getVolume(name).inspect()) };
    },
    async read({ id }) {
      try {
        return { id, outputs: volumeOutputs(await docker.getVolume(id).inspect()) };
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },
    update: (_, olds) => olds,
    preview: meant,
    inputsOf: ({ name, driver, driverOpts, labels }) => ({
      ...{ name: name ?? null, driver: driver ?? null },
      ...(driverOpts !== null && driverOpts !== undefined && { driverOpts }),
      ...(Array.isArray(labels) && labels.length > 0 && { labels }),
    }),
    async delete({ id, status }) {
      const deadline = Date.now() + RELEASE_TIMEOUT_MS;
      for (;;) {
        try {
          await docker.getVolume(id).remove();
          return;
        } catch (error) {
          if (isStatus(error, 404)) return;
          if (!isStatus(error, 409) || Date.now() > deadline) throw error;
          status("waiting for its last container to go");
          await sleep(250);
        }
      }
    },
  };
}
