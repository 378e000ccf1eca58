#!/bin/sh
BASE=http://127.0.0.1:8080
curl -X "$METHOD" "$BASE/a"
curl -d @"$PAYLOAD" "$BASE/b"
curl -F "file=@$FILE" -F note=hi "$BASE/c"
curl -T "$FILE" "$BASE/d"
for i in 1 2; do
  curl "$BASE/e/$i"
done
until curl --http1.0 "$BASE/f"; do
  sleep 1
done
case $1 in
x)
  curl "$BASE/g"
  ;;
esac
