curl -sS -L --compressed --max-time 5 -x http://127.0.0.1:3128 --limit-rate 10k --next -X PATCH -b 'a=b' -A me -e http://127.0.0.1/ http://127.0.0.1:8080/[1-3]
curl -H 'Connection: close' -H 'X-A: 1' -H 'X-A: 2' -H 'Expect: 100-continue' http://127.0.0.1:8080/
