pumba rm --force --volumes cart
