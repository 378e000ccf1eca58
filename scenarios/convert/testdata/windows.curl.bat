curl ^"https://127.0.0.1:8443/a?x=%201^" ^
  -H ^"accept: application/json^" ^
  --data-raw ^"^{^\^"price^\^":^\^"$5^\^"^}^"
