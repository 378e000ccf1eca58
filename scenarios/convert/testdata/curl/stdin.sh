curl --data @- http://127.0.0.1:8080/ < body.txt
curl --data-binary @- http://127.0.0.1:8080/ <<END
hello
END
