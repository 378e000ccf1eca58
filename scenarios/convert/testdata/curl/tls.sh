curl -k --cacert ca.pem --tlsv1.3 --resolve shop.example.com:443:127.0.0.1 https://shop.example.com/
