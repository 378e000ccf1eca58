#!/bin/sh
set -e
BASE=https://api.shop.example.com
# copied from a browser
curl 'https://api.shop.example.com/login' \
  -H 'content-type: application/json' -H 'accept-language: de' \
  --data-raw $'{"user":"ann","password":"it\'s me","n":1.50}' --compressed
TOKEN=$(curl -sS "$BASE/token" | jq -r .token)
curl -sSfL -u ann:geheim "https://api.shop.example.com/items/[1-50]?q=a b" -H "X-Id: $ID" | jq .
curl -F title=hi -F 'photo=@photo.png;type=image/png;filename=me.png' https://api.shop.example.com/up -k --http2 --frob
curl -XDELETE api.shop.example.com/x -b 'sid=1234' -m 2.5
curl -G https://api.shop.example.com/s -d q=1 --data-urlencode 'z=a b&c'
curl -d a=1 -d a=2 https://api.shop.example.com/f --next https://api.shop.example.com/g -I
curl --data-binary @order.json -H 'Content-Type: application/json' -H "Authorization: Bearer $TOKEN" https://api.shop.example.com/orders
curl -d @- -H 'Content-Type: text/plain' https://api.shop.example.com/notes <<END
costs \${price}: $ID
END
curl -H "X-Sum: $(date | md5sum)" https://api.shop.example.com/sum --retry 3 -x http://ann:geheim@proxy:3128
curl --json '{"a": [1, {"b": null}]}' https://api.shop.example.com/j --resolve api.shop.example.com:443:127.0.0.1
