curl -G -d q=a -d n=1 'http://127.0.0.1:8080/?x=1'
curl --url-query 'q=a b' --url-query +raw --url-query 'w@words.txt' http://127.0.0.1:8080/
