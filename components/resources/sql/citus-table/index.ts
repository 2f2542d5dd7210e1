import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { TableSpec } from "./plan";
import { CITUS_TABLE_PROVIDER_VERSION } from "./provider";

interface CitusTableArgs {
  /** A superuser's session on the coordinators, in the distributed database: `coordinator.group.session(coordinator.database)`. */
  readonly target: SessionArgs;
  /** Name with schema: `public.orders`. The table must exist. A new name is a different table; the old one is not changed. */
  readonly table: string;
  /** What deleting the resource does: keeps the table as it is, or moves its rows back to the coordinator. Default `keep`. */
  readonly onDelete?: "keep" | "undistribute";
  /** Seconds to wait for the coordinators' leader. Default 60. */
  readonly deadlineSeconds?: number;
}

export interface DistributedTableArgs extends CitusTableArgs {
  /** The distribution column, whose value determines a row's shard. Every unique index must include it. */
  readonly column: string;
  /** Number of shards. Default: that of the table that it is colocated with, else `citus.shard_count` (32). */
  readonly shardCount?: number;
  /** The table to colocate with: rows with the same value are on the same node. `none`: no colocation. Default: tables with the same column type and shard count. */
  readonly colocateWith?: string;
  /**
   * What a change of column, shard count or colocation does to a distributed table: `refuse`, or `alter`, which rewrites all rows
   * and locks the table meanwhile. A new shard count also changes colocated tables. Default `refuse`.
   */
  readonly onChange?: "refuse" | "alter";
}

export type ReferenceTableArgs = CitusTableArgs;

const properties = (
  args: CitusTableArgs,
  spec: Pick<TableSpec, "kind"> & Partial<TableSpec>,
): pulumi.Inputs => {
  const { target, password } = splitPassword(args.target);
  return {
    target,
    password: pulumi.secret(password),
    table: args.table,
    ...spec,
    onChange: spec.onChange ?? "refuse",
    onDelete: args.onDelete ?? "keep",
    deadlineSeconds: args.deadlineSeconds ?? 60,
    drift: undefined,
    providerVersion: CITUS_TABLE_PROVIDER_VERSION,
  };
};

const secretly = (opts: pulumi.CustomResourceOptions | undefined): pulumi.CustomResourceOptions =>
  pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] });

/**
 * A distributed table: its rows are on the shards of the worker groups, by the value of one column. The table may contain rows; an already
 * distributed table is adopted. A preview asks the database whether it is possible. Deleting the resource never deletes rows.
 */
export class DistributedTable extends DynamicResource {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  declare readonly drift: pulumi.Output<readonly string[]>;

  constructor(name: string, args: DistributedTableArgs, opts?: pulumi.CustomResourceOptions) {
    const { column, shardCount, colocateWith, onChange } = args;
    super(
      "resources/sql/citus-table/provider#citusTableProvider",
      name,
      properties(args, { kind: "distributed", column, shardCount, colocateWith, onChange }),
      secretly(opts),
      "sql",
      "DistributedTable",
    );
  }
}

/** A reference table: every node has all rows, so that joins with it need no network. Deleting the resource never deletes rows. */
export class ReferenceTable extends DynamicResource {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  declare readonly drift: pulumi.Output<readonly string[]>;

  constructor(name: string, args: ReferenceTableArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/sql/citus-table/provider#citusTableProvider",
      name,
      properties(args, { kind: "reference" }),
      secretly(opts),
      "sql",
      "ReferenceTable",
    );
  }
}
