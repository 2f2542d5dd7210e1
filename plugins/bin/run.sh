#!/bin/sh
# The CLI starts a plugin by its name; each name is a link to this file.
here=$(dirname "$(readlink -f "$0")")
project=$here/../..
case $(basename "$0") in
  pulumi-language-nodejs) plugin=language ;;
  pulumi-resource-docker) plugin=docker ;;
  pulumi-resource-random) plugin=random ;;
  pulumi-resource-pulumi-nodejs)
    # The SDK's own server for dynamic resources.
    exec "$project/node_modules/.bin/node" --require "$project/plugins/end-with-parent.js" \
      "$project/node_modules/@pulumi/pulumi/cmd/dynamic-provider" "$@"
    ;;
esac
exec "$project/node_modules/.bin/node" "$here/../start.js" "$plugin" "$@"
