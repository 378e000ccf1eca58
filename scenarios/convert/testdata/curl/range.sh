curl --range 600 http://127.0.0.1:8080/
curl -r 0-99 http://127.0.0.1:8080/
