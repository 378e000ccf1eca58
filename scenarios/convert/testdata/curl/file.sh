curl -T ../order.json http://127.0.0.1:8080/a
curl --data-binary @../order.json -H 'Content-Type: application/json' http://127.0.0.1:8080/a
