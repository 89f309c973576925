"""What lives: the actor runtime (`actors.runtime`) and the actors of the product, one package per kind of stream."""
