// docker:* over the Docker Engine API.

import type Docker from "dockerode";
import { notServed, type Provider } from "../provider";
import { containerProvider } from "./container";
import { dockerAt, explain, reason } from "./engine";
import { remoteImageProvider } from "./image";
import { networkProvider } from "./network";
import { volumeProvider } from "./volume";

const TYPES: Record<string, (docker: Docker) => Provider> = {
  "docker:index/container:Container": containerProvider,
  "docker:index/network:Network": networkProvider,
  "docker:index/remoteImage:RemoteImage": remoteImageProvider,
  "docker:index/volume:Volume": volumeProvider,
};

const cache = new Map<string, Provider>();

export function dockerProvider(type: string, host: string | undefined): Provider {
  const key = `${type} ${host ?? ""}`;
  let provider = cache.get(key);
  if (provider === undefined) {
    const make = TYPES[type];
    if (make === undefined) throw notServed(type);
    provider = explaining(make(dockerAt(host)), host);
    cache.set(key, provider);
  }
  return provider;
}

/** The same provider, with errors in words that help: the engine's own, or how to reach it. */
function explaining(provider: Provider, host: string | undefined): Provider {
  const wrap =
    <Args extends unknown[], Result>(method: (...args: Args) => Result | Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await method(...args);
      } catch (error) {
        const explained = explain(error, host);
        if ((explained as { json?: unknown }).json === undefined) throw explained;
        throw new Error(reason(explained), { cause: error });
      }
    };
  return {
    ...provider,
    create: wrap(provider.create),
    read: wrap(provider.read),
    update: wrap(provider.update),
    delete: wrap(provider.delete),
  };
}
