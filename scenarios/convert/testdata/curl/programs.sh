timeout 5 curl http://127.0.0.1:8080/a
sudo -u me curl http://127.0.0.1:8080/b
seq 1 10 | xargs -I{} curl http://127.0.0.1:8080/{}
CURL="curl -s"
$CURL http://127.0.0.1:8080/d
eval "curl http://127.0.0.1:8080/e"
wget -q http://127.0.0.1:8080/f
ab -n 5 http://127.0.0.1:8080/g
ID=$(curl http://127.0.0.1:8080/h | jq -r .id)
curl "http://127.0.0.1:8080/i/$ID"
curl "http://127.0.0.1:8080/n/$1"
http_proxy=p.test curl http://127.0.0.1:8080/j
[ -n "$ID" ] && curl http://127.0.0.1:8080/k
sleep $WAIT
$TOOL http://127.0.0.1:8080/l
echo done
