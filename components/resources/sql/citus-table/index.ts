import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { TableSpec } from "./plan";
import { CITUS_TABLE_PROVIDER_VERSION } from "./provider";

interface CitusTableArgs {
  /** A superuser's session on the coordinators, in the distributed database: `coordinator.group.session(coordinator.database)`. */
  readonly target: SessionArgs;
  /** With its schema: `public.orders`. It must exist. Another name is another table; the old one stays as it is. */
  readonly table: string;
  /** What deleting the resource does: leaves the table as it is, or brings its rows back to the coordinator. Default `keep`. */
  readonly onDelete?: "keep" | "undistribute";
  /** How long to look for the coordinators' leader, in seconds. Default 60. */
  readonly deadlineSeconds?: number;
}

export interface DistributedTableArgs extends CitusTableArgs {
  /** The column whose value decides on which shard a row lies. Every unique index must have it. */
  readonly column: string;
  /** How many shards. Default: of the table that it lies beside, else `citus.shard_count` (32). */
  readonly shardCount?: number;
  /** A table beside which rows with the same value lie; `none` for nobody. Default: tables with the same type and shard count. */
  readonly colocateWith?: string;
  /**
   * What a change of column, shard count or neighbour does to a table that is distributed: `refuse`, or `alter`, which writes every row
   * anew and locks the table meanwhile; with the shard count, tables that lie beside it change, too. Default `refuse`.
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
 * A table whose rows lie on the shards of the worker groups, decided by one column. An empty or a filled table; one that is so already is
 * adopted. A preview asks the database what is wrong with it. Deleting the resource never drops a row.
 */
export class DistributedTable extends DynamicResource {
  /** What a refresh found different from what was declared; the next `up` mends it. */
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

/** A table that every node has whole, so that joins with it need no network. Deleting the resource never drops a row. */
export class ReferenceTable extends DynamicResource {
  /** What a refresh found different from what was declared; the next `up` mends it. */
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
