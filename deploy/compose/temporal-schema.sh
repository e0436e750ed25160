#!/bin/sh
# Makes Temporal's databases if they are missing and migrates them to the version of
# these tools. The settings are the SQL_ variables of temporal-sql-tool.
set -eu
for part in temporal visibility; do
  case $part in
    temporal) database=temporal ;;
    visibility) database=temporal_visibility ;;
  esac
  temporal-sql-tool --db "$database" create
  temporal-sql-tool --db "$database" setup-schema -v 0.0
  temporal-sql-tool --db "$database" update-schema --schema-name "postgresql/v12/$part"
done
