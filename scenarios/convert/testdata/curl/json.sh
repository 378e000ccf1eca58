curl --json '{"n": 1}' http://127.0.0.1:8080/
