curl -F note=hi -F 'file=@../photo.png;type=image/png' -F 'text=<../order.json' http://127.0.0.1:8080/
