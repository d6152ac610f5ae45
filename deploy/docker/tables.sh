#!/bin/sh
# Creates the tables that are not there. Each file of /tables is the input of one `create-table`.
set -eu
until aws dynamodb list-tables >/dev/null 2>&1; do sleep 1; done
for file in /tables/*.json; do
  table=$(basename "$file" .json)
  aws dynamodb describe-table --table-name "$table" >/dev/null 2>&1 ||
    aws dynamodb create-table --cli-input-json "file://$file" >/dev/null
done
