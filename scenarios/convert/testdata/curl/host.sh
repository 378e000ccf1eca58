curl -H 'Host: other.example.com' http://127.0.0.1:8080/
curl -H 'Host: 127.0.0.1:8080' http://127.0.0.1:8080/
