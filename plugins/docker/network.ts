import type Docker from "dockerode";
import { setTimeout as sleep } from "node:timers/promises";
import { changedKeys, type Properties } from "../properties";
import type { Provider, Running } from "../provider";
import { meant, NETWORK, withDefaults } from "./defaults";
import { isStatus, reason } from "./engine";
import { blocks, labelBlocks, labelMap, record, replaceAll, sameLabels, text } from "./values";

const RELEASE_TIMEOUT_MS = 30_000;

export function networkOutputs(network: Docker.NetworkInspectInfo): Properties {
  const { IPAM: ipam } = network;
  return {
    __meta: '{"schema_version":"1"}',
    id: network.Id,
    name: network.Name,
    attachable: network.Attachable,
    driver: network.Driver,
    ingress: network.Ingress,
    internal: network.Internal,
    ipamConfigs: (ipam?.Config ?? []).map((config) => ({
      auxAddress: null,
      gateway: config.Gateway ?? "",
      ipRange: (config as { IPRange?: string }).IPRange ?? "",
      subnet: config.Subnet ?? "",
    })),
    ipamDriver: ipam?.Driver ?? "default",
    ipamOptions: ipam?.Options && Object.keys(ipam.Options).length > 0 ? ipam.Options : null,
    ipv6: network.EnableIPv6,
    labels: labelBlocks(network.Labels),
    options: network.Options ?? {},
    scope: network.Scope,
  };
}

export function networkProvider(docker: Docker): Provider {
  return {
    check: ({ name }, news, olds) => ({
      inputs: withDefaults(NETWORK, name, news, olds),
      failures: [],
    }),
    diff: (_, olds, news) => replaceAll(changedKeys(meant(olds.inputs), meant(news)), news),
    async create(running, inputs) {
      running.status("creating");
      try {
        return await created(docker, inputs);
      } catch (error) {
        const isTaken =
          isStatus(error, 409) || reason(error).includes(`network with name ${text(inputs.name)} already`);
        const recovered = isTaken ? await recover(docker, running, inputs) : undefined;
        if (recovered === undefined) throw error;
        return recovered;
      }
    },
    async read({ id }) {
      try {
        return {
          id,
          outputs: networkOutputs(await docker.getNetwork(id).inspect()),
        };
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },
    update: (_, olds) => olds,
    preview: meant,
    inputsOf: networkInputs,
    delete: ({ id, status }) => removeNetwork(docker, id, status),
  };
}

interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

async function created(docker: Docker, inputs: Properties): Promise<Created> {
  const network = await docker.createNetwork({
    Name: text(inputs.name),
    // Docker would happily make a second network of the same name.
    CheckDuplicate: true,
    Driver: text(inputs.driver) || undefined,
    Internal: inputs.internal === true,
    Attachable: inputs.attachable === true,
    Ingress: inputs.ingress === true,
    EnableIPv6: inputs.ipv6 === true,
    Labels: labelMap(inputs.labels),
    Options: record(inputs.options),
    IPAM: {
      Driver: text(inputs.ipamDriver) || "default",
      Options: record(inputs.ipamOptions),
      Config: blocks(inputs.ipamConfigs).map((config) => ({
        Subnet: text(config.subnet) || undefined,
        IPRange: text(config.ipRange) || undefined,
        Gateway: text(config.gateway) || undefined,
        AuxiliaryAddresses: record(config.auxAddress),
      })),
    },
  });
  return { id: network.id, outputs: networkOutputs(await network.inspect()) };
}

/** What a killed run has made and not recorded: it has our labels. One that is as it is wanted is kept, since containers may be in it. */
async function recover(
  docker: Docker,
  { status }: Running,
  inputs: Properties,
): Promise<Created | undefined> {
  const name = text(inputs.name);
  const found = (await docker.listNetworks({ filters: { name: [name] } })).find(({ Name }) => Name === name);
  if (found === undefined || !sameLabels(inputs, found.Labels)) return undefined;
  const outputs = networkOutputs(await docker.getNetwork(found.Id).inspect());
  if (changedKeys(networkInputs(outputs), meant(inputs)).length === 0) return { id: found.Id, outputs };
  status("removing what an interrupted run made");
  await removeNetwork(docker, found.Id, status);
  return created(docker, inputs);
}

/** What a program would have to say to get this network. Docker chooses its addresses where nobody else does, so these are left out. */
function networkInputs(outputs: Properties): Properties {
  const { name, driver, ipamDriver, labels, options } = outputs;
  const flags = ["attachable", "ingress", "internal", "ipv6"].filter((flag) => outputs[flag] === true);
  return {
    ...{ name: name ?? null, driver: driver ?? null, ipamDriver: ipamDriver ?? null },
    ...(Array.isArray(labels) && labels.length > 0 && { labels }),
    ...(Object.keys((options ?? {}) as object).length > 0 && { options: options as Properties }),
    ...Object.fromEntries(flags.map((flag) => [flag, true])),
  };
}

/** Containers that are just going still hold their addresses for a moment. */
async function removeNetwork(docker: Docker, id: string, status: (message: string) => void): Promise<void> {
  const deadline = Date.now() + RELEASE_TIMEOUT_MS;
  for (;;) {
    try {
      await docker.getNetwork(id).remove();
      return;
    } catch (error) {
      if (isStatus(error, 404)) return;
      if (!isStatus(error, 403) || Date.now() > deadline) throw error;
      status("waiting for its last container to go");
      await sleep(250);
    }
  }
}
