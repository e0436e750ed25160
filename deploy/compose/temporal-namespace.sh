#!/bin/sh
# Makes the namespace of the workflows. What ended stays visible for a year: whoever looks
# at a month wants to see the same month of last year.
set -eu
namespace=${TEMPORAL_NAMESPACE:-default}
until temporal operator cluster health; do sleep 2; done
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$namespace" --retention 8760h
