#!/bin/sh
BASE=http://127.0.0.1:8080
post() {
  local to=$1
  curl -X POST "$BASE/$to" -d "$2"
}
all() {
  curl "$@"
}
post orders a=1
post users b=2
all -I $BASE/c
never() {
  curl $BASE/never
}
