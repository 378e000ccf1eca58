curl -d b=1 -d a=2 http://127.0.0.1:8080/
curl -d a=1 -d b=2 http://127.0.0.1:8080/
