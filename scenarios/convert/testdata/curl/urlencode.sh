curl --data-urlencode 'a=b c' --data-urlencode '=d&e' --data-urlencode 'f@words.txt' http://127.0.0.1:8080/
