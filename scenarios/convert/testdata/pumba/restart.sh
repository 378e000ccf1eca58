pumba restart --timeout 5000 --limit 1 --label app=cart
