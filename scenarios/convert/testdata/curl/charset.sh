curl -H 'Content-Type: application/x-www-form-urlencoded; charset=utf-8' -d 'z=1&a=2' http://127.0.0.1:8080/
curl -H 'Content-Type: application/json;charset=UTF-8' -d '{"a": 1}' http://127.0.0.1:8080/
