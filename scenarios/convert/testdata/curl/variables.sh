BASE=http://127.0.0.1:8080
TOKEN=$(get-token)
curl -H "Authorization: Bearer $TOKEN" $BASE/a
curl "$HOST/b"
