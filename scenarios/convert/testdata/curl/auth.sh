curl -u ann:open-sesame http://127.0.0.1:8080/
curl --oauth2-bearer open-sesame http://127.0.0.1:8080/
curl --digest -u ann:x http://127.0.0.1:8080/
