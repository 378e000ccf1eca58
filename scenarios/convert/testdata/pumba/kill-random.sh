pumba --random --interval 30s kill --limit 2 re2:^cart
